"""What is done to an AWS account: calls are planned, shown and then performed. Knows no pipeline's settings."""

"""What is done to an AWS account: changes are planned, shown and then applied. Knows no pipeline's settings."""

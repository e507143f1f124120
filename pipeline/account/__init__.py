"""What this pipeline needs in an account, as parts that are planned first and then made."""

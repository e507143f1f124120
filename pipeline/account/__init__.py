"""What is done to an account: plans first, then performs; it stands on pipeline/."""

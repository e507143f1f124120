"""CloudWatch Logs: what processes write, as files and for CloudWatch's clients."""

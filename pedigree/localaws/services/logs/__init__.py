"""CloudWatch Logs: the output of processes, as files and for clients of CloudWatch Logs."""

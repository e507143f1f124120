"""The parts of predict.py, zipped with it: fetches a picture with protection against SSRF, and checks its header."""

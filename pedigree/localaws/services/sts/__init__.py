"""STS: moto's sessions, and who a caller is."""

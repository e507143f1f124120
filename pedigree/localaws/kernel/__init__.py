"""The base of all parts of the local AWS: clock, store, clients, threads and processes."""

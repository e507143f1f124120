"""What every part of the local AWS stands on: clock, store, clients, threads and processes."""

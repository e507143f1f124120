"""One rented machine of EC2 that trains once and ends itself."""

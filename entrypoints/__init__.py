"""What runs inside containers: scripts that know this folder, their container, and nothing else of the project."""

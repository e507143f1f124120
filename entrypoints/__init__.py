"""Scripts that run inside containers. They know this folder and their container, and nothing else of the project."""

"""What a step costs that does nothing: shapes of pipelines, this project's way through them, and other tools' ways."""

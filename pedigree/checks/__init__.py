"""What is wrong with a pipeline definition, before AWS says so. Stands on language/ and knows no other package."""

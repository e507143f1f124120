"""Containers for processes: Linux namespaces with a root of their own. They need neither root's rights nor Docker."""

"""How each type of step is carried out: started, looked at until it has ended, and stopped.

A runner acts through the same services that any client calls, so a step does here what it would do there. runners.py
is the table from a step's type to its runner.
"""

"""How each type of step runs: started, polled until it has ended, stopped. types.py has a row for each type.

A runner acts through the same services that any client calls, so a step does here what it does in an account.
"""

"""Jobs: a container's contract kept by processes of this machine.

plans.py says what a job is, purely; sandbox.py lays out a host's folders; processes.py runs the hosts; metrics.py reads
the log; work.py brings it all together and says in the job's document how far it is.
"""

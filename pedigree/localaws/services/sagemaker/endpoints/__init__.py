"""Endpoints: real model servers behind InvokeEndpoint, one process for each container of each instance.

model_server.py is what a container runs; server_process.py starts and watches one; instances.py has those of one
instance; fleet.py keeps the desired number and chooses the least busy; rollout.py plans how traffic moves from an old
fleet to a new one; endpoints.py does it all.
"""

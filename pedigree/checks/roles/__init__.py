"""The permissions that a definition requires of roles, compared with the policies that the roles have.

permission.py       one required permission: actions, resources, conditions
resource_names.py   the names of objects, images and queues that a request stands for, as far as they are known
pipeline_role.py    what the pipeline's own role needs: create jobs, pass roles, call functions
workload_roles.py   what the roles of jobs and models need: data, images, logs, keys, networks
required.py         all required permissions of a definition
comparison.py       required permissions against policies, decided by pedigree.iam
trust.py            the services that assume the roles, against the roles' trust
least_privilege.py  the policy that allows what is required and nothing else
audit.py            the violations that the rules report
"""

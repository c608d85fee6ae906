"""DiracX's API, version 0.7: its clients log in here, ask who they are, submit JDL and log out, as they are.

A *VO* is a VO, a *group* a group, and a *security property* one or several of our permissions. A login asks for one
group, the account's oldest when none is named, and may add properties that other groups of the account give.

    vo:belle group:users property:JobAdministrator   ⇄   VO belle, `group:users +jobs:manage`

A JDL goes through four hands: `jdl_grammar` reads it, `jdl_parameters` knows how its jobs differ, `jdl_attributes`
what an attribute can be, and `jdl_translate` makes descriptions of ours of it.

Tokens, device codes and the pages that approve them are identity's: everything here is a spelling of them. What of the
API is served is said in `endpoints.OPERATIONS`, from which the reference page is made; the rest answers 501.
"""

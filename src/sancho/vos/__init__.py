"""VOs: who shares this installation, and the configuration each of them has, version by version.

A *VO* is the unit of tenancy; everything has exactly one owner VO. The VO `instance` owns what is shared.
*Configuration* is a set of documents, each of a *kind* that some feature declares: accounts, sites, quotas.
Operators keep them in git and apply them; what changed is recorded under a number, and a number can be gone back to.

    documents ──validate──▶ diff with the newest version ──▶ each kind applies its own, in order ──▶ a new version

`apply` knows no kind but its own: it is given the kinds of all features, so it can stand below them. All of an
apply is one transaction, and a dry run is the same transaction rolled back.
"""

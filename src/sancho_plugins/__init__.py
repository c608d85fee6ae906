"""The compute elements, storages and transfer tools that come with Sancho; they use nothing but the contract."""

"""The operations of the API, each one a function that makes a `Call`, `Pages` or `Lines`.

client.send(jobs.show(17))
await async_client.send(jobs.show(17))
"""

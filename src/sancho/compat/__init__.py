"""Foreign APIs at the edge: clients of Rucio and DiracX that nobody has changed find here what they expect.

Each has `wire` (models with the foreign names), `translate` (foreign to ours and back, pure), `errors` (how trouble is
said there) and routes that call services. No SQL, no rules, no state; nothing below knows that they exist.
"""

-- Accounts that may do nothing are asked for with each answer that tells of a VO's accounts.

---------------------------------------------------------------------------------------- identity
CREATE INDEX account_suspended ON account (vo, name) WHERE state = 'S';

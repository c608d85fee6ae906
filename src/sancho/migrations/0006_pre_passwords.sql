-- Whether the accounts of a VO may log in with passwords of ours.

-------------------------------------------------------------------------------------------------- vos
ALTER TABLE vo ADD COLUMN passwords bool NOT NULL DEFAULT true
    CONSTRAINT vo_passwords_check CHECK (passwords OR vo <> 0);       -- who runs the installation is never locked out

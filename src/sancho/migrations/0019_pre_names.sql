-- What names of new DIDs look like in a VO.

-------------------------------------------------------------------------------------------- dids
CREATE TABLE name_schema (             -- a VO without a row for a kind lets its names be what they are
    vo      smallint NOT NULL REFERENCES vo,
    kind    "char"   NOT NULL CHECK (kind IN ('F', 'D', 'C')),
    pattern text     NOT NULL,
    example text     NOT NULL,
    PRIMARY KEY (kind, vo)
);
ALTER TABLE name_schema ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON name_schema USING (vo = ANY ((SELECT served_vos())::smallint[]));

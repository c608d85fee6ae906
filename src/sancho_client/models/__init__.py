"""What the API speaks of, as typed values.

Answers are read leniently: fields that this version does not know are dropped, so a newer server may say more.
What is sent is written strictly: a field that does not exist is an error before anything leaves.
"""

"""Foreign APIs at the edge: their words in, our services, their words out; nothing below knows that they exist."""

//! Runs rules over a closed session: one walk over each document, then the session rules, then the suppression matrix.

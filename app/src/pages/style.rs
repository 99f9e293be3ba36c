//! Every component in all its states, in both themes: what people and tests look at.

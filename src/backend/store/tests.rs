//! What must be true of a store, of each kind alike.

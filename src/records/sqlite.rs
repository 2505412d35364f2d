//! In a SQLite file.

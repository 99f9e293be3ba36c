//! Pages, islands and components.

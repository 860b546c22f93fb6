//! Drawing: the only importer of ratatui's widgets. `draw` is a function of (`App`, `Look`, size).

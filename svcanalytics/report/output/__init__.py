"""Blocks as files: page, pictures, workbook, Word, PDF, each read again before it is published."""

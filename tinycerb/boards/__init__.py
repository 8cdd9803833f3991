"""Boards, firmware images and what runs them."""

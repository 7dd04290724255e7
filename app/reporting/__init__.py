"""Stage 5: one run comment, the handed-over branch, the result, and answers to commands."""

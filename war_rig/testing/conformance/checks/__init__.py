"""The rules, a file for each part of the contract. A check raises Missed, or NotTested."""

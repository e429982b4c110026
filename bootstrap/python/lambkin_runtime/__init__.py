"""What surrounds a Python handler: speaks the frames of runtime/protocol.ts on descriptor 3. Standard library only, 3.9 and later."""

--- SemVer; CHANGELOG.md says what changed.
return "0.1.0"

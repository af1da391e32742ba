--- Version of this library (SemVer).
return "0.1.0"

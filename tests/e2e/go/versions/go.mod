module versions

go 1.18

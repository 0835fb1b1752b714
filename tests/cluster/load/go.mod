module capv-ipam.dev/tests/cluster/load

go 1.24.0

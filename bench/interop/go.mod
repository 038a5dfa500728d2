module github.com/hindmq/hind/bench/interop

go 1.26

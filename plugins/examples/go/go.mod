module no_users

go 1.24

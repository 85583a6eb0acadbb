# floors.awk: who may include what (the floors of ARCHITECTURE.md), and how long a function may be.
#
# Usage: awk -f tests/tools/floors.awk FILE... ; paths as seen from the root. Prints one line per violation and exits 1.
BEGIN {
	# floor -> the floors it may include besides itself
	may["core/base"] = ""
	may["core/kern"] = "core/base"
	may["core/nn"] = "core/kern core/base"
	may["core/data"] = "core/base"
	may["core/model"] = "core/nn core/data core/kern core/base"
	may["core/lab"] = "core/model core/nn core/data core/kern core/base"
	may["api"] = "core/lab core/model core/nn core/data core/base"
	may["server"] = "api core/lab core/model core/data core/kern core/base"
	# foreign header -> the one door to it
	door["cjson/"] = "^api/json\\.c$"
	door["cJSON"] = "^api/json\\.c$"
	door["png.h"] = "^core/data/png\\.c$"
	door["zlib.h"] = "^core/data/gz\\.c$"
	door["archive.h"] = "^core/data/tar\\.c$"
	door["archive_entry.h"] = "^core/data/tar\\.c$"
	door["nettle/"] = "^core/data/sha256\\.c$"
	door["Random123/"] = "^core/base/rng\\.c$"
	door["sqlite3"] = "^server/store/"
	door["microhttpd"] = "^server/http\\.c$"
	# Powers that only server/ has: the clock, sockets, memory of what the process is.
	door["time.h"] = "^server/"
	door["sys/time.h"] = "^server/"
	door["sys/socket.h"] = "^server/"
	door["netinet/"] = "^server/"
	door["arpa/"] = "^server/"
	# The dashboard's floors.
	web["lib"] = "lib"
	web["panels"] = "lib panels"
	web["views"] = "lib panels"
	web[""] = "lib views"
	FUNCTION_MAX = 70
	FILE_MAX = 600
}

function complain(text) {
	printf "%s:%d: %s\n", FILENAME, FNR, text
	bad = 1
}

function floor_of(path) {
	return match(path, /^core\/[a-z]+\//) || match(path, /^(api|server)\//) ? substr(path, 1, RLENGTH - 1) : ""
}

function check_own(header, from, to) {
	from = floor_of(FILENAME)
	to = floor_of(header)
	if (!(from in may) || from == to)
		return
	if (to == "")
		complain("includes \"" header "\", which is on no floor")
	else if (index(" " may[from] " ", " " to " ") == 0)
		complain(from " may not include " to " (" header ")")
}

function check_foreign(header, prefix) {
	if (FILENAME ~ /^tests\//)
		return
	for (prefix in door)
		if (index(header, prefix) == 1 && FILENAME !~ door[prefix])
			complain("<" header "> has its door elsewhere: " door[prefix])
}

FNR == 1 {
	includes = 0
	start = 0
	own = FILENAME
	sub(/\.c$/, ".h", own)
	has_own = FILENAME ~ /\.c$/ && (getline line < own) >= 0
	close(own)
}

/^[ \t]*#[ \t]*include[ \t]*["<]/ {
	header = $0
	sub(/^[^"<]*["<]/, "", header)
	sub(/[">].*$/, "", header)
	if (++includes == 1 && has_own && header != own)
		complain("the first include must be \"" own "\"")
	if ($0 ~ /"/)
		check_own(header)
	else
		check_foreign(header)
}

# Imports of the dashboard: './x.js' is of the same folder, '../lib/x.js' of another.
FILENAME ~ /^web\/.*\.js$/ && match($0, /(from |import\()'\.\.?\/[^']*'/) {
	from = FILENAME
	sub(/^web\//, "", from)
	if (!sub(/\/[^\/]*$/, "", from))
		from = ""
	to = substr($0, RSTART, RLENGTH)
	gsub(/^[^']*'|'$/, "", to)
	same = to ~ /^\.\/[^\/]*$/
	sub(/^\.\.?\//, "", to)
	sub(/\/.*$/, "", to)
	if (same)
		to = from
	if (to != "vendor" && (from in web) && to != from && index(" " web[from] " ", " " to " ") == 0)
		complain("web/" from " may not import from " to)
}

# clang-format puts the braces of a function, and of a function only, alone at the start of a line. A test may be long: it is
# mostly the table it walks.
/^\{/ { start = FNR }
/^\}/ {
	if (start && FILENAME !~ /^tests\// && FNR - start - 1 > FUNCTION_MAX)
		complain("a function of " FNR - start - 1 " lines (at most " FUNCTION_MAX ")")
	start = 0
}
FNR == FILE_MAX + 1 { complain("a file of more than " FILE_MAX " lines") }

END { exit bad }

# manual.awk: the body of a page, as cmark-gfm prints it, becomes a whole page. -v name=index -v contents=FILE
#
# Headings get ids that links can name ("#the-time-slider"), tables a frame that scrolls, in place of the page.

function slug(text) {
	gsub(/<[^>]*>|&[a-z]+;/, "", text)
	text = tolower(text)
	gsub(/[^a-z0-9_-]+/, "-", text)
	gsub(/^-+|-+$/, "", text)
	return text
}

function plain(text) {
	gsub(/<[^>]*>/, "", text)
	return text
}

# "<h2>Text</h2>" with an id, which the heading may bring itself; those of level 2 are the page's own contents.
function heading(line, level, text, id) {
	level = substr(line, 3, 1)
	text = substr(line, 5, length(line) - 9)
	id = slug(text)
	if (match(text, /id="[^"]+"/)) {
		id = substr(text, RSTART + 4, RLENGTH - 5)
		text = plain(text)
	}
	while (id in taken)
		id = id "-1"
	taken[id] = 1
	if (level == 1)
		title = plain(text)
	if (level == 2)
		own = own "<li><a href=\"#" id "\">" plain(text) "</a></li>\n"
	return "<h" level " id=\"" id "\">" text "</h" level ">"
}

/^<h[1-6]>.*<\/h[1-6]>$/ { body = body heading($0) "\n"; next }
/^<table>$/ { body = body "<div class=\"table\" tabindex=\"0\" role=\"region\" aria-label=\"Table\">\n"; tables++ }
{
	sub(/<pre>/, "<pre tabindex=\"0\">")
	sub(/<th><\/th>/, "<td></td>")
	body = body $0 "\n"
}
/^<\/table>$/ { body = body "</div>\n" }

function link(page, rel, words) {
	return page == "" ? "" : "<a rel=\"" rel "\" href=\"" page ".html\">" words titles[page] "</a>\n"
}

function read_contents(line, page, here, open) {
	while ((getline line < contents) > 0) {
		if (line ~ /^# /) {
			list = list (open ? "</ul>\n" : "") "<h2>" substr(line, 3) "</h2>\n<ul>\n"
			open = 1
			continue
		}
		page = substr(line, 1, index(line, " ") - 1)
		titles[page] = substr(line, length(page) + 2)
		here = page == name ? " aria-current=\"page\"" : ""
		list = list "<li><a href=\"" page ".html\"" here ">" titles[page] "</a></li>\n"
		if (last == name)
			after = page
		if (page == name)
			before = last
		last = page
	}
	list = list "</ul>\n"
}

END {
	read_contents()
	print "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">"
	print "<title>" title " · latentd manual</title>"
	print "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
	print "<meta name=\"color-scheme\" content=\"light dark\">"
	print "<link rel=\"icon\" href=\"../favicon.svg\" type=\"image/svg+xml\">"
	print "<link rel=\"stylesheet\" href=\"../style/base.css\">\n<link rel=\"stylesheet\" href=\"../style/docs.css\">"
	print "<script src=\"../theme.js\"></script>\n<script type=\"module\" src=\"../docs.js\"></script>\n</head>\n<body class=\"manual\">"
	print "<a class=\"skip\" href=\"#main\">Skip to content</a>\n<header class=\"bar\">"
	print "<a class=\"brand\" href=\"../#/\"><img src=\"../favicon.svg\" alt=\"\" width=\"22\" height=\"22\">latentd</a>"
	print "<nav aria-label=\"Views\"><a href=\"../#/\">Dashboard</a> <a href=\"index.html\" aria-current=\"true\">Manual</a></nav>"
	print "<span class=\"bar-end\"><a class=\"to-contents\" href=\"#contents\">Contents</a>"
	print "<button type=\"button\" class=\"icon\" id=\"theme\" title=\"Light or dark\" hidden></button></span>\n</header>"
	print "<div class=\"manual-grid\">\n<main id=\"main\" tabindex=\"-1\">"
	printf "%s", body
	print "<nav class=\"around\" aria-label=\"Pages before and after\">"
	printf "%s%s", link(before, "prev", "← "), link(after, "next", "→ ")
	print "</nav>\n</main>\n<nav class=\"contents\" id=\"contents\" aria-label=\"Contents of the manual\">"
	printf "%s", list
	print "</nav>"
	if (own != "")
		print "<nav class=\"own\" aria-label=\"On this page\"><h2>On this page</h2>\n<ul>\n" own "</ul>\n</nav>"
	print "</div>\n</body>\n</html>"
}

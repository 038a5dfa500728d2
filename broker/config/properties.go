package config

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// property is one entry of a properties file.
type property struct {
	file  string
	at    Place
	key   string
	value string
}

// parseProperties reads the format of java.util.Properties: lines of key and value separated by '=', ':' or blanks, '#'
// and '!' start a comment line, a backslash at the end joins the next line, \t \n \r \f \\ \uXXXX and \<char> are
// escapes. Beyond ASCII the file is UTF-8. A key that is given twice is an error here: with passwords, the silent last
// one of Java is a trap.
func parseProperties(file string, data []byte) ([]property, *Error) {
	if !utf8.Valid(data) {
		return nil, &Error{File: file, Problem: "the file is not UTF-8", Next: `write other characters as \uXXXX`}
	}
	var all []property
	first := make(map[string]int)
	lines := strings.Split(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		at := Place{Line: i + 1, Column: 1}
		line := strings.TrimLeft(lines[i], " \t\f\r")
		if line == "" || line[0] == '#' || line[0] == '!' {
			continue
		}
		for continues(line) && i+1 < len(lines) {
			i++
			line = line[:len(line)-1] + strings.TrimLeft(lines[i], " \t\f\r")
		}
		key, value := splitProperty(line)
		p := property{file: file, at: at}
		var err error
		if p.key, err = unescape(key); err == nil {
			p.value, err = unescape(value)
		}
		if err != nil {
			return nil, &Error{File: file, At: at, Problem: err.Error(), Next: "correct the line"}
		}
		if before, twice := first[p.key]; twice {
			return nil, &Error{File: file, At: at, Problem: fmt.Sprintf("%q is given twice, first in line %d", p.key, before),
				Next: "keep one of them"}
		}
		first[p.key] = at.Line
		all = append(all, p)
	}
	return all, nil
}

// continues says whether a line ends in an odd number of backslashes.
func continues(line string) bool {
	n := len(line) - len(strings.TrimRight(line, `\`))
	return n%2 == 1
}

// splitProperty cuts at the first separator that no backslash hides, blanks around it included.
func splitProperty(line string) (key, value string) {
	end := len(line)
	for i := 0; i < len(line); i++ {
		if line[i] == '\\' {
			i++
			continue
		}
		if strings.IndexByte("=: \t\f", line[i]) >= 0 {
			end = i
			break
		}
	}
	rest := strings.TrimLeft(line[end:], " \t\f")
	if rest != "" && (rest[0] == '=' || rest[0] == ':') {
		rest = strings.TrimLeft(rest[1:], " \t\f")
	}
	return line[:end], strings.TrimRight(rest, "\r")
}

func unescape(s string) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case 't':
			b.WriteByte('\t')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 'f':
			b.WriteByte('\f')
		case 'u':
			if i+5 > len(s) {
				return "", fmt.Errorf(`\u needs four hexadecimal digits`)
			}
			n, err := strconv.ParseUint(s[i+1:i+5], 16, 16)
			if err != nil {
				return "", fmt.Errorf(`\u%s is not four hexadecimal digits`, s[i+1:i+5])
			}
			b.WriteRune(rune(n))
			i += 4
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), nil
}

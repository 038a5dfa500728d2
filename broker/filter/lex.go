package filter

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Error says what is wrong with a filter and where.
type Error struct {
	At   int // byte of the text
	What string
}

func (e *Error) Error() string { return fmt.Sprintf("filter: %s at byte %d", e.What, e.At) }

func errorAt(at int, format string, args ...any) *Error {
	return &Error{At: at, What: fmt.Sprintf(format, args...)}
}

type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenName
	tokenKeyword // text is in upper case
	tokenLiteral // value
	tokenSign    // text: = <> < > <= >= + - * / % ( ) ,
)

type token struct {
	kind  tokenKind
	at    int
	text  string
	value Value
}

func isKeyword(word string) bool {
	switch word {
	case "AND", "OR", "NOT", "BETWEEN", "LIKE", "ESCAPE", "IN", "IS", "NULL", "TRUE", "FALSE", "XPATH", "XQUERY":
		return true
	}
	return false
}

type lexer struct {
	text    string
	at      int
	hyphens bool
}

func (l *lexer) next() (token, *Error) {
	l.skipSpace()
	start := l.at
	if start >= len(l.text) {
		return token{kind: tokenEnd, at: start}, nil
	}
	c := l.text[start]
	switch {
	case c == '\'':
		return l.quoted()
	case c >= '0' && c <= '9' || c == '.' && start+1 < len(l.text) && isDigit(l.text[start+1]):
		return l.number()
	}
	if r, _ := utf8.DecodeRuneInString(l.text[start:]); isNameStart(r) {
		return l.name(), nil
	}
	return l.sign()
}

func (l *lexer) skipSpace() {
	for l.at < len(l.text) && strings.IndexByte(" \t\r\n\f", l.text[l.at]) >= 0 {
		l.at++
	}
}

func (l *lexer) sign() (token, *Error) {
	start := l.at
	for _, two := range [...]string{"<>", "<=", ">="} {
		if strings.HasPrefix(l.text[start:], two) {
			l.at += 2
			return token{kind: tokenSign, at: start, text: two}, nil
		}
	}
	if strings.IndexByte("=<>+-*/%(),", l.text[start]) < 0 {
		return token{}, errorAt(start, "character %q has no meaning here", l.text[start])
	}
	l.at++
	return token{kind: tokenSign, at: start, text: l.text[start : start+1]}, nil
}

// quoted reads '...' with two quotes standing for one.
func (l *lexer) quoted() (token, *Error) {
	start := l.at
	var b strings.Builder
	for i := start + 1; i < len(l.text); i++ {
		if l.text[i] != '\'' {
			b.WriteByte(l.text[i])
			continue
		}
		if i+1 < len(l.text) && l.text[i+1] == '\'' {
			b.WriteByte('\'')
			i++
			continue
		}
		l.at = i + 1
		return token{kind: tokenLiteral, at: start, value: String(b.String())}, nil
	}
	return token{}, errorAt(start, "string without a closing quote")
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// number reads 12, 12L, 0x1F, 1.5, .5, 1e3, 1.5F, 1.5D. A leading zero means octal, as in Java.
func (l *lexer) number() (token, *Error) {
	start, i, float := l.at, l.at, false
	hex := strings.HasPrefix(l.text[i:], "0x") || strings.HasPrefix(l.text[i:], "0X")
	if hex {
		i += 2
	}
	for i < len(l.text) {
		c := l.text[i]
		switch {
		case isDigit(c), hex && (c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'):
		case c == '.' && !hex && !float:
			float = true
		case (c == 'e' || c == 'E') && !hex && l.exponent(i):
			float = true
			i++ // the sign or the first digit
		default:
			return l.numberEnds(start, i, float)
		}
		i++
	}
	return l.numberEnds(start, i, float)
}

func (l *lexer) exponent(i int) bool {
	i++
	if i < len(l.text) && (l.text[i] == '+' || l.text[i] == '-') {
		i++
	}
	return i < len(l.text) && isDigit(l.text[i])
}

func (l *lexer) numberEnds(start, end int, float bool) (token, *Error) {
	text := l.text[start:end]
	l.at = end
	if end < len(l.text) {
		switch l.text[end] {
		case 'l', 'L':
			if !float {
				l.at++
			}
		case 'f', 'F', 'd', 'D':
			float = true
			l.at++
		}
	}
	if r, _ := utf8.DecodeRuneInString(l.text[l.at:]); l.at < len(l.text) && isNamePart(r) {
		return token{}, errorAt(l.at, "%q follows a number", r)
	}
	if float {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return token{}, errorAt(start, "%q is no number", text)
		}
		return token{kind: tokenLiteral, at: start, value: Float(f)}, nil
	}
	n, err := strconv.ParseInt(strings.ReplaceAll(text, "_", "?"), 0, 64)
	if err != nil {
		if u, err := strconv.ParseUint(text, 10, 64); err == nil && u == 1<<63 {
			return token{kind: tokenLiteral, at: start, value: Float(1 << 63)}, nil
		}
		return token{}, errorAt(start, "%q is no number of 64 bits", text)
	}
	return token{kind: tokenLiteral, at: start, value: Int(n)}, nil
}

func isNameStart(r rune) bool {
	return r == '_' || r == '$' || r != utf8.RuneError && unicode.IsLetter(r)
}

func isNamePart(r rune) bool { return isNameStart(r) || unicode.IsDigit(r) }

func (l *lexer) name() token {
	start := l.at
	for l.at < len(l.text) {
		r, size := utf8.DecodeRuneInString(l.text[l.at:])
		if !isNamePart(r) && r != '.' && !(r == '-' && l.hyphens) {
			break
		}
		l.at += size
	}
	word := l.text[start:l.at]
	if upper := strings.ToUpper(word); isKeyword(upper) {
		return token{kind: tokenKeyword, at: start, text: upper}
	}
	return token{kind: tokenName, at: start, text: word}
}

// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

var (
	byteOrderMark = []byte("\xef\xbb\xbf")
	armorBegin    = []byte("-----BEGIN PGP ")
	armorEnd      = []byte("-----END PGP ")
)

// readEntities tells the forms apart by how a file begins, never by what stands somewhere
// in it: a user ID may hold a whole armored key of somebody else.
func readEntities(data []byte) (openpgp.EntityList, error) {
	data = bytes.TrimPrefix(data, byteOrderMark)
	switch {
	case isKeybox(data):
		return readKeybox(data)
	// RFC 9580, 4.2: the first bit of a packet is always one.
	case len(data) > 0 && data[0]&0x80 != 0:
		return readBlock(bytes.NewReader(data))
	default:
		return readArmored(data)
	}
}

// readArmored reads all blocks; openpgp.ReadArmoredKeyRing would ignore all but the first.
func readArmored(data []byte) (openpgp.EntityList, error) {
	if begins, ends := countLines(data, armorBegin), countLines(data, armorEnd); begins != ends {
		return nil, fmt.Errorf("got %d beginnings and %d ends of armored blocks: the file is cut off", begins, ends)
	}
	buffered := bufio.NewReader(bytes.NewReader(data)) // one buffer for all blocks: armor.Decode reads ahead
	var all openpgp.EntityList
	for {
		block, err := armor.Decode(buffered)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		if block.Type != openpgp.PublicKeyType && block.Type != openpgp.PrivateKeyType {
			return nil, fmt.Errorf("got an armored block of type %.40q, want %q", block.Type, openpgp.PublicKeyType)
		}
		entities, err := readBlock(block.Body)
		if err != nil {
			return nil, err
		}
		if _, err := io.Copy(io.Discard, block.Body); err != nil {
			return nil, err
		}
		all = append(all, entities...)
	}
}

// readBlock reads the keys of one block. One that holds none that are known here is empty,
// as it would be among the others in a binary file.
func readBlock(r io.Reader) (openpgp.EntityList, error) {
	entities, err := openpgp.ReadKeyRing(r)
	var unsupported pgperrors.UnsupportedError
	var structural pgperrors.StructuralError
	if errors.As(err, &unsupported) || errors.As(err, &structural) {
		return nil, nil
	}
	return entities, err
}

func countLines(data, prefix []byte) int {
	count := 0
	for line := range bytes.Lines(data) {
		if bytes.HasPrefix(bytes.TrimLeft(line, " \t"), prefix) {
			count++
		}
	}
	return count
}

// The layout of GnuPG's keybox (kbx/keybox-blob.c): blobs of a length in four bytes, a type,
// a version, flags in two bytes, then where the OpenPGP keyblock stands and how long it is.
const (
	keyboxHeader     = 20 // bytes of a blob before the fields that are not read here
	keyboxFirst      = 1
	keyboxOpenPGP    = 2
	keyboxEphemeral  = 0x0002
	keyboxMagicAt    = 8
	keyboxMagic      = "KBXf"
	keyboxMagicUntil = keyboxMagicAt + len(keyboxMagic)
)

func isKeybox(data []byte) bool {
	return len(data) >= keyboxMagicUntil && data[0] == 0 && data[4] == keyboxFirst && string(data[keyboxMagicAt:keyboxMagicUntil]) == keyboxMagic
}

func readKeybox(data []byte) (openpgp.EntityList, error) {
	var all openpgp.EntityList
	for len(data) > 0 {
		if len(data) < 5 {
			return nil, errors.New("the keybox is cut off")
		}
		length := int64(binary.BigEndian.Uint32(data))
		if length < 5 || length > int64(len(data)) {
			return nil, errors.New("the keybox is cut off")
		}
		blob := data[:length]
		data = data[length:]
		if blob[4] != keyboxOpenPGP {
			continue
		}
		keyblock, err := keyboxKeyblock(blob)
		if err != nil {
			return nil, err
		}
		if keyblock == nil {
			continue
		}
		entities, err := readBlock(bytes.NewReader(keyblock))
		if err != nil {
			return nil, err
		}
		all = append(all, entities...)
	}
	return all, nil
}

// keyboxKeyblock returns the keys of an OpenPGP blob, or nil if the blob is to be skipped.
func keyboxKeyblock(blob []byte) ([]byte, error) {
	if len(blob) < keyboxHeader {
		return nil, errors.New("a blob of the keybox is too short")
	}
	if binary.BigEndian.Uint16(blob[6:])&keyboxEphemeral != 0 {
		return nil, nil //nolint:nilnil // there is nothing to read, which is no error
	}
	start, length := int64(binary.BigEndian.Uint32(blob[8:])), int64(binary.BigEndian.Uint32(blob[12:]))
	if start < keyboxHeader || length == 0 || start+length > int64(len(blob)) {
		return nil, errors.New("a keyblock lies outside its blob of the keybox")
	}
	return blob[start : start+length], nil
}

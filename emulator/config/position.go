package config

// Position is the line and column (from 1) where a key of a model is written, such
// as resource_request.cpu_request, or of the nearest mapping around it that is
// written. Both are 0 where it comes from a flag, or there is no file.
func (f *File) Position(model int, path string) (line, column int) {
	at := f.trees[model].find(path).at
	return at.line, at.column
}

// Mistake makes the Error for what somebody else found wrong with a key.
func (f *File) Mistake(model int, path, message string) Error {
	r := report{file: f.name}
	full := path
	if len(f.Models) > 1 {
		full = join(modelPath(model), path)
	}
	return r.mistake(f.trees[model].find(path).at, full, message)
}

package merlin

// Properties is the model.properties file that Merlin's SDK uploads beside the
// content of model_dir.
func (d Deployment) Properties() []byte {
	return []byte("image = " + d.Image + "\ncommand = " + d.Command + "\nargs = " + d.Args + "\n")
}

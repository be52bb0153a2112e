package process

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// tree is a job that holds all processes of the group. Windows ends them when the
// job's last handle is closed, so a killed session leaves none.
type tree struct{ job windows.Handle }

func shellCommand(command string) *exec.Cmd {
	cmd := exec.Command("cmd.exe")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		CmdLine:       `cmd.exe /S /C "` + command + `"`,
		CreationFlags: windows.CREATE_NEW_PROCESS_GROUP,
	}
	return cmd
}

func (t *tree) start(cmd *exec.Cmd) error {
	job, err := newJob()
	if err != nil {
		return err
	}
	t.job = job
	err = cmd.Start()
	if err == nil {
		err = t.join(cmd)
	}
	if err != nil {
		_ = windows.CloseHandle(job)
	}
	return err
}

func newJob() (windows.Handle, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return 0, err
	}
	limits := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{
		BasicLimitInformation: windows.JOBOBJECT_BASIC_LIMIT_INFORMATION{
			LimitFlags: windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
		},
	}
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits)))
	if err != nil {
		_ = windows.CloseHandle(job)
	}
	return job, err
}

// join puts the leader in the job; its children follow it.
func (t *tree) join(cmd *exec.Cmd) error {
	process, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(cmd.Process.Pid))
	if err == nil {
		err = windows.AssignProcessToJobObject(t.job, process)
		_ = windows.CloseHandle(process)
	}
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	return err
}

// terminate sends Ctrl-Break, the nearest that Windows has to SIGTERM.
func (t *tree) terminate(pid int) {
	_ = windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, uint32(pid))
}

// freeze is not to be had: the model may answer before it is killed.
func (t *tree) freeze(context.Context, int) error { return errors.ErrUnsupported }

func (t *tree) kill(int) { _ = windows.TerminateJobObject(t.job, 137) }

// alive cannot ask for the children; kill ends them with the job.
func (t *tree) alive(int) bool { return false }

// killGroup has nothing to do: the job ended with the session that held it.
func killGroup(int) {}

func exitCode(state *os.ProcessState) int { return state.ExitCode() }
